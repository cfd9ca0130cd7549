# SPDX-License-Identifier: Apache-2.0
# git on the tree: add, commit, changes, log with patches, checkout, gc. Names and dates are fixed, so that the names of
# the commits depend on the contents alone.

export HOME="$PWD" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE="1700000000 +0000"
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org GIT_COMMITTER_DATE="1700000000 +0000"

prepare() {
  mkdir tree
  (cd "$TREE" && find . -type f | sort | awk -v scale="$SCALE" 'NR * 37 % 400 < scale') > chosen
  tar -C "$TREE" -cf - -T chosen | tar -C tree -xf -
}

work() {
  cd tree
  git init -q -b main
  git add .
  git commit -q -m "The tree"
  for word in import class return; do
    grep -rlw --include="*.py" "$word" . | sort | head -n 40 | xargs sed -i "s/\b$word\b/$word /"
    git commit -q -a -m "Change $word"
  done
  git log -p --stat > ../log
  git checkout -q HEAD~2
  git checkout -q main
  git gc -q
  git fsck --strict --no-progress
  git status --short
}

result() {
  cd tree
  git log --format=%H
  cat ../log
}
