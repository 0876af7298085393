# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# A search that was stopped and goes on ends as one that was never stopped.
#   sh checkpoint.test.sh MARS_MAP
set -eu
tool=$1
fail() {
  echo "checkpoint: $*" >&2
  exit 1
}
bare() { sed -E 's/"(wall_s|evaluations_per_s)"[[:space:]]*:[[:space:]]*[^,}[:space:]]*//g' "$1"; }

for search in genetic annealing beam; do
  map() { "$tool" --model squeezenet --system aws_f1_16xlarge --search $search --quiet "$@"; }
  map --evaluations 6000000 --checkpoint whole.$search --json whole.json
  # Stopped after its first rounds, by a smaller budget; then to the end.
  map --evaluations 2500000 --checkpoint parts.$search --json part.json
  [ -s parts.$search ] || fail "$search: no checkpoint after $(cat part.json | wc -c) bytes of answer"
  cp parts.$search before
  map --evaluations 6000000 --checkpoint parts.$search --json parts.json
  bare whole.json >whole.bare
  bare parts.json >parts.bare
  cmp whole.bare parts.bare || fail "$search: the resumed search ended differently"
  cmp -s whole.$search parts.$search || fail "$search: the checkpoints differ"
  cmp -s before parts.$search && fail "$search: the second part kept nothing"
  # Killed at any moment after a first round: what is kept is whole.
  "$tool" --model squeezenet --system aws_f1_16xlarge --search $search --quiet --evaluations 6000000 \
    --checkpoint killed.$search --json killed.json &
  while [ ! -s killed.$search ] && kill -0 $! 2>kill.log; do :; done
  kill -KILL $! 2>kill.log || :
  wait $! 2>kill.log || :
  map --evaluations 6000000 --checkpoint killed.$search --json killed.json
  bare killed.json >killed.bare
  cmp whole.bare killed.bare || fail "$search: resumed after a kill, it ended differently"
done

refuses() {
  wanted=$1
  shift
  status=0
  "$tool" --system aws_f1_16xlarge --quiet "$@" 2>log || status=$?
  [ $status -eq 2 ] || fail "exit status $status for $*"
  [ "$(wc -l <log)" -eq 1 ] || fail "not one line: $(cat log)"
  grep -qF -e "$wanted" log || fail "'$wanted' is not in: $(cat log)"
}
refuses 'wanted genetic' --model squeezenet --search genetic --checkpoint whole.beam
refuses 'found of another problem' --model alexnet --search beam --checkpoint whole.beam
refuses 'found 1, wanted 2' --model squeezenet --search beam --seed 2 --checkpoint whole.beam
refuses 'a search that goes in rounds' --model alexnet --search exhaustive --checkpoint new
refuses 'nothing is searched' --model alexnet --mapping whole.json --checkpoint new
refuses '--checkpoint' --model alexnet --checkpoint /nowhere/at/all
printf '{"schema": "mars.checkpoint/1"}' >short
refuses 'short: search' --model alexnet --checkpoint short
sed 's/"choice_of":.*/"choice_of": [70000]}}/' whole.beam >wrong
refuses 'wrong' --model squeezenet --search beam --checkpoint wrong
[ ! -e new ] || fail "a refused command left a checkpoint"
