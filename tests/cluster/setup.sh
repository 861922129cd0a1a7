#!/bin/sh
# Makes an environment with Ray and this checkout in VENV, for the tests marked ray, and prints the variable that they need.
set -e
venv=${1:?give a folder for the environment}
here=$(cd "$(dirname "$0")/../.." && pwd)
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -m pip install -q -c "$here/tests/constraints.txt" -e "$here[verify,ray]" 'ray==2.60.0'
echo "RADIXCHECK_RAY=$venv/bin/python"
