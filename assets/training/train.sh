#!/bin/sh
# Trains the built-in model from nothing and writes it to ../tiny. Two processes of one thread.
# Environment: PYTHON (with requirements.txt), WORK (default ./work), MINUTES (factor, default 1).
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-python3}
WORK=${WORK:-work}
FACTOR=${MINUTES:-1}
mkdir -p "$WORK"
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 MASTER_ADDR=127.0.0.1 MASTER_PORT=${MASTER_PORT:-29511}
# glibc would give big blocks back and fetch them again all the time
export MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=8000000000 MALLOC_TOP_PAD_=134217728

minutes() { "$PYTHON" -c "print($1 * $FACTOR)"; }
run() { nice -n 19 "$PYTHON" "$@"; }

[ -f "$WORK/tokenizer.json" ] || run tokenizer.py "$WORK/tokenizer.json"
for seed in 1 2; do
    [ -f "$WORK/bank_train_$seed.pkl" ] || run speech.py "$WORK/bank_train_$seed.pkl" 8000 $seed train &
done
[ -f "$WORK/bank_dev.pkl" ] || run speech.py "$WORK/bank_dev.pkl" 500 9 dev
wait
# towers alone; the language model starts with clips and text while the vision tower goes on
run see.py "$(minutes 28)" "$WORK/see.pt" > "$WORK/see.log" 2>&1 &
run hear.py "$(minutes 14)" "$WORK/hear.pt" "$WORK"/bank_train_*.pkl "$WORK/bank_dev.pkl" > "$WORK/hear.log" 2>&1
RANK=1 WORLD_SIZE=1 PARTS=sound TOWERS=hear run joint.py "$(minutes 14)" "$WORK/lm" "$WORK" > "$WORK/lm.log" 2>&1
wait
export WORLD_SIZE=2 TOWERS=see
RANK=1 run joint.py "$(minutes 60)" "$WORK/joint" "$WORK" "$WORK/lm" > "$WORK/joint1.log" 2>&1 &
RANK=0 run joint.py "$(minutes 60)" "$WORK/joint" "$WORK" "$WORK/lm" > "$WORK/joint0.log" 2>&1
wait
run export.py "$WORK/joint" "$WORK/tokenizer.json" ../tiny
