#!/usr/bin/env bash
# Makes the environment of the caches that people run: a virtual environment with SGLang, and extracted sources of other releases.
#
#   tests/peers/setup.sh VENV DIR
#
# Packages come by name from the package index that pip is configured to use. Both folders may exist: what is there already is kept.
# Needs Python 3.11 (or PYTHON=...), 8 GB of disk, and some minutes.
set -euo pipefail
SGLANG=0.5.23 TORCH=2.14.1 TORCHVISION=0.29.1 # torch decides which torchvision fits
SOURCES=(
  "sglang 0.4.6.post5 sglang/srt/mem_cache/"
  "sglang 0.5.12 sglang/srt/mem_cache/"
  "vllm 0.33.0 vllm/"
) # package, version, and the folder of its wheel that is extracted

[ $# -eq 2 ] || { sed -n '2,7p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
"${PYTHON:-python3.11}" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "$0 needs Python 3.11: set PYTHON" >&2; exit 1; }
mkdir -p "$1" "$2"
venv=$(cd "$1" && pwd) dir=$(cd "$2" && pwd)
[ -x "$venv/bin/python" ] || "${PYTHON:-python3.11}" -m venv "$venv"
python=$venv/bin/python

# Most of what SGLang asks for is needed to serve a model, not to import a cache: requirements.txt lists the rest.
"$python" -m pip install --quiet --disable-pip-version-check "torch==$TORCH" "torchvision==$TORCHVISION"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps "sglang==$SGLANG" -r "$here/requirements.txt"

downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
for source in "${SOURCES[@]}"; do
  read -r name version folder <<<"$source"
  target=$dir/$name-$version
  [ -d "$target" ] && continue
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$downloads" "$name==$version"
  "$python" - "$downloads" "$name-$version" "$folder" "$target.part" <<'PYTHON'
import sys
from pathlib import Path
from zipfile import ZipFile

downloads, wheel, folder, target = sys.argv[1:]
(path,) = Path(downloads).glob(f"{wheel}-*.whl")
with ZipFile(path) as archive:
    archive.extractall(target, [name for name in archive.namelist() if name.startswith(folder) and name.endswith((".py", ".cpp", ".h"))])
PYTHON
  mv "$target.part" "$target" # whole, or not there
done

echo "export RADIXCHECK_PEERS=$python PEERS_DIR=$dir"
