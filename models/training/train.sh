#!/usr/bin/env bash
# Everything from photographs to a model and its profile: see README.md. Started again, it goes on where it was.
set -euo pipefail
if [ $# -lt 3 ]; then
  echo "Usage: models/training/train.sh PHOTOS WORK (--start-from EXPORT | --yolox FILE --kinds FILE --trunk FILE) --teacher MODEL [options of train.py]" >&2
  exit 64
fi
photos=$(realpath "$1")
mkdir -p "$2"
work=$(realpath "$2")
shift 2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3}
sets="circle-flags devicon emojione flat-color-icons fluent-emoji-flat fxemoji game-icons noto simple-icons streamline-ultimate-color token-branded twemoji"

if [ ! -e "$work/cache/marks/marks.npy" ]; then
  mkdir -p "$work/icons"
  files=()
  for set in $sets; do
    if [ ! -e "$work/icons/$set/package/icons.json" ]; then
      mkdir -p "$work/icons/$set"
      (cd "$work/icons" && tar xzf "$(npm pack --silent "@iconify-json/$set")" -C "$set")
    fi
    files+=("$work/icons/$set/package/icons.json")
  done
  "$python" "$here/draw_marks.py" "$work/cache/marks" "$root/node_modules/@iconify-json/logos/icons.json" "${files[@]}"
fi
# Goes on after the last thing drawn.
(cd "$root" && node --import tsx models/training/draw-things.ts "$work/cache/things" "${PRODUCTS:-1200}" "${VEHICLES:-1200}")
learn() {
  "$python" "$here/train.py" --photos "$photos" --cache "$work/cache" --out "$work" "$@"
}
# They move different parts of the network: a core each where there is no GPU.
learn --learn boxes --threads 1 "$@" &
boxes=$!
learn --learn vectors --threads 1 "$@" || { kill "$boxes"; exit 1; }
wait "$boxes"
mkdir -p "$work/model"
"$python" "$here/export.py" --model "$work/vectors.pt" --items "$work/boxes.pt" --out "$work/model/likeness-nano.onnx" --version "${VERSION:-0.3.0}"
"$python" "$here/learn_profile.py" --model "$work/model/likeness-nano.onnx" --photos "$photos" --cache "$work/cache" --out "$work/model/general.profile.f32"
