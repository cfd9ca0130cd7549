# SPDX-License-Identifier: Apache-2.0
# Prints one line for each thing that it computes; debian-session.ts knows what the lines must be.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Digest::MD5 qw(md5_hex);
use List::Util qw(sum max reduce);
use Math::BigInt;
use POSIX qw(floor fmod strtol);

my $data = join '', map { chr(($_ * 7 + ($_ >> 8)) & 0xff) } 0 .. 99_999;
print "sha256 ", sha256_hex($data), "\n";
print "md5 ", md5_hex($data), "\n";
my $total = 0;
$total += 1 / $_ for 1 .. 50_000;
printf "harmonic %.17g\n", $total;
printf "float %.17g %s %s %.3e %s\n", 0.1 + 0.2, 1e300 * 1e10, 1e15, 12345.678, 9**0.5;
printf "posix %d %.6f %d\n", floor(-2.5), fmod(10, 3.3), scalar strtol("7f", 16);
printf "integer %s %s %s %d\n", 2**53, 18446744073709551615, -7 % 3, 0xffff_ffff << 4;
print "factorial ", Math::BigInt->new(40)->bfac(), "\n";
my %words;
$words{$_}++ for "the quick brown fox jumps over the lazy dog the end" =~ /\w+/g;
print "words ", join(" ", map { "$_=$words{$_}" } sort { $words{$b} <=> $words{$a} || $a cmp $b } keys %words), "\n";
(my $text = "2024-02-29") =~ s/(\d+)-(\d+)-(\d+)/$3.$2.$1/;
print "regex $text ", scalar reverse("stressed"), "\n";
print "pack ", unpack("H*", pack("NvCa3d<", 0xdeadbeef, 0x1234, 255, "abc", 1.5)), "\n";
print "sort ", join(",", (sort { $a <=> $b } map { $_ * 7919 % 1009 } 1 .. 200)[0, 99, 199]), "\n";
print "sum ", sum(1 .. 1000), " ", max(3, 9, 2), " ", reduce { $a * $b } 1 .. 15;
print "\n";
