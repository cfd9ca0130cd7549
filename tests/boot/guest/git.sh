# SPDX-License-Identifier: Apache-2.0
# sh git.sh: makes a small history whose commit names depend on every byte in it.
set -e
export HOME="$PWD" GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE="1700000000 +0000"
export GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org GIT_COMMITTER_DATE="1700000000 +0000"
git init -q -b main history
cd history
for number in 1 2 3; do
  seq 1 "${number}000" > numbers
  git add numbers
  git commit -q -m "Numbers to ${number}000"
done
git branch side HEAD~1
git checkout -q side
echo side > other
git add other
git commit -q -m Side
git checkout -q main
git merge -q --no-ff -m Merge side
git gc -q
git fsck --strict --no-progress
git log --format=%H
git status --short
git diff --stat HEAD~1 HEAD
git clone -q . ../copy
git -C ../copy rev-parse HEAD
