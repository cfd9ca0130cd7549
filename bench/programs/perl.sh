# SPDX-License-Identifier: Apache-2.0
# Perl: see perl.pl.

prepare() {
  cp "$HERE/perl.pl" .
}

work() {
  PERL_HASH_SEED=0 perl perl.pl "$SCALE" "$TREE" > answers
}

result() {
  cat answers
}
