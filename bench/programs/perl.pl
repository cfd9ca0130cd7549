# SPDX-License-Identifier: Apache-2.0
# perl perl.pl SCALE-PERCENT DIRECTORY: text work: matching, substitution, hashes, sorting, pack, formats, closures.
use strict;
use warnings;

my ($percent, $directory) = @ARGV;
my $scale = $percent / 70;
my @files = sort glob "$directory/*.py";
splice @files, int(60 * $scale) + 1;

my (%words, %calls, @lines);
for my $file (@files) {
  open my $in, "<", $file or die "$file: $!";
  while (my $line = <$in>) {
    $words{lc $1}++ while $line =~ /\b([a-z_]\w{2,})\b/gi;
    $calls{$1}++ if $line =~ /^\s*def\s+(\w+)\s*\((?:self\b)?[^)]*\)/;
    chomp $line;
    push @lines, $line if $line =~ /\S/;
  }
}
my @frequent = sort { $words{$b} <=> $words{$a} || $a cmp $b } keys %words;
printf "%-20s %6d\n", $_, $words{$_} for grep { defined } @frequent[0 .. 49];
print scalar(keys %calls), " functions\n";

# Substitution with code, and joins and splits.
my $text = join "\n", @lines;
my $count = ($text =~ s/(\d+)/sprintf "<%x>", $1 % 65536/ge);
$text =~ tr/a-zA-Z/n-za-mN-ZA-M/;
print "$count numbers, ", unpack("%32C*", $text), "\n";
my %lengths;
$lengths{length $_}++ for split /\W+/, $text;
print join(" ", map { "$_:$lengths{$_}" } sort { $a <=> $b } keys %lengths), "\n";

# Records, packed and sorted by two keys.
my @records = map { pack "NnA8", $_ * 2654435761 % 4294967296, $_ % 1009, substr $lines[$_ % @lines], 0, 8 }
  0 .. int(20000 * $scale);
my $checksum = 0;
$checksum = ($checksum * 31 + (unpack "N", $_)[0]) % 4294967291
  for sort { substr($a, 4, 2) cmp substr($b, 4, 2) || $a cmp $b } @records;
print "$checksum\n";

# Closures and arithmetic.
my @steps = map { my $n = $_; sub { ($_[0] * $n + $n) % 1000003 } } 1 .. 7;
my $value = 1;
for my $round (1 .. int(30000 * $scale)) { $value = $_->($value) for @steps }
print "$value\n";
