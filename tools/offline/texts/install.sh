#!/bin/sh
# 雲橋を、ネットワークなしで導入します。 / Installs kumobashi without a network.
#
#   sh install.sh [DIR]      DIR: 導入先（既定 $HOME/kumobashi） / where to (default $HOME/kumobashi)
#   PYTHON=/path/to/python3.12 sh install.sh DIR
#
# 終了コード / exit codes: 0 済み done, 1 このパソコンでは動かない not on this machine,
# 2 ファイルが欠けているか違う files missing or altered, 3 書けない cannot write, 64 使い方 usage.
set -eu
unset CDPATH
umask 022

pythons="@PYTHONS@"
processor="@PROCESSOR@"
version="@VERSION@"

say() { printf '%s\n  %s\n' "$1" "$2"; }
stop() {
    code=$1
    printf '× %s\n  %s\n' "$2" "$3" >&2
    exit "$code"
}

case ${1:-} in
-h | --help)
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
-*) stop 64 "知らない指定です: $1" "unknown option: $1" ;;
esac
[ $# -le 1 ] || stop 64 "導入先は1つだけ書いてください。" "name one folder only"
if [ $# -eq 1 ] && [ -z "$1" ]; then
    stop 64 "導入先が空です。" "the folder's name is empty"
fi

here=$(cd -- "$(dirname -- "$0")" && pwd)
target=${1:-${HOME:?}/kumobashi}
case $target in
/*) ;;
*) target=$PWD/$target ;;
esac

[ "$(uname -s) $(uname -m)" = "Linux $processor" ] ||
    stop 1 "これは Linux $processor 用です。このパソコンは $(uname -s) $(uname -m) です。" \
        "this archive is for Linux $processor, and this machine is $(uname -s) $(uname -m)"

# --- 1. ファイルは作ったときのままか / are the files those that were made ---
command -v sha256sum >/dev/null 2>&1 ||
    stop 1 "sha256sum がありません（coreutils を入れてください）。" "sha256sum is missing (coreutils)"
say "· ファイルを確かめています" "checking the files"
if ! altered=$(cd -- "$here" && LC_ALL=C sha256sum -c SHA256SUMS 2>/dev/null); then
    printf '%s\n' "$altered" | grep -v ': OK$' >&2 || true
    stop 2 "欠けているか、作ったときと違うファイルがあります。もう一度写してください。何も導入していません。" \
        "files are missing or altered: copy the archive again; nothing was installed"
fi

# --- 2. 使える Python / a Python that fits ---
fits() {
    "$1" -I -c 'import sys, sysconfig
version = "%d.%d" % sys.version_info[:2]
fine = version in sys.argv[1:] and sys.implementation.name == "cpython"
sys.exit(not fine or bool(sysconfig.get_config_var("Py_GIL_DISABLED")))' $pythons 2>/dev/null
}
python=
try() {
    if [ -z "$python" ] && command -v "$1" >/dev/null 2>&1 && fits "$1"; then
        python=$(command -v "$1")
    fi
}
if [ -n "${PYTHON:-}" ]; then
    try "$PYTHON"
else
    for each in python3 python3.13 python3.12 python3.11; do try "$each"; done
fi
[ -n "$python" ] ||
    stop 1 "使える Python がありません。要るもの: CPython $pythons のどれか。PYTHON=/path/to/python3.12 で指定できます。" \
        "no fitting Python: one of CPython $pythons is needed; name it with PYTHON=/path/to/python3.12"
"$python" -I -c 'import platform, sys
name, found = platform.libc_ver()
sys.exit(name != "glibc" or tuple(map(int, found.split(".")[:2])) < (2, 28))' ||
    stop 1 "C ライブラリ glibc 2.28 以上が要ります（Debian 10、Ubuntu 20.04、RHEL 8 以降）。" \
        "glibc 2.28 or newer is needed (Debian 10, Ubuntu 20.04, RHEL 8 and later)"
"$python" -I -c 'import venv' 2>/dev/null ||
    stop 1 "Python の venv がありません（Debian・Ubuntu は python3-venv を入れてください）。" \
        "Python's venv is missing (python3-venv on Debian and Ubuntu)"

# --- 3. 導入 / installing ---
# 版ごとに別の環境を作り、できあがってから切り替える。 / An environment a version, switched when whole.
seal=$(sha256sum "$here/SHA256SUMS" | cut -c 1-8)
environment=$target/versions/$version-$seal
if [ -e "$target" ] && [ ! -d "$target/versions" ] && [ -n "$(ls -A "$target" 2>/dev/null)" ]; then
    stop 3 "$target には、ほかのファイルがあります。空のフォルダを指定してください。何も変えていません。" \
        "$target holds other files; name an empty folder; nothing was changed"
fi
mkdir -p "$target/versions" 2>/dev/null && [ -w "$target/versions" ] ||
    stop 3 "$target に書けません。書けるフォルダを指定してください。" \
        "$target cannot be written; name a folder that can"
if [ ! -e "$environment/installed" ]; then
    rm -rf -- "$environment"
    trap 'rm -rf -- "$environment"' EXIT
    trap 'exit 130' INT TERM HUP
    say "· 導入しています: $environment（$("$python" -V 2>&1)）" "installing"
    "$python" -I -m venv --without-pip "$environment" ||
        stop 3 "Python 環境を作れません。空き容量を確かめてください。" "cannot make the environment; is the disk full?"
    # -I と --isolated: このパソコンの設定や変数に左右されない。 / Nothing of this machine's settings counts.
    PIP_CONFIG_FILE=/dev/null "$environment/bin/python" -I "$here/wheels/@PIP@/pip" --isolated \
        install --quiet --no-index --find-links "$here/wheels" --require-hashes \
        --only-binary=:all: --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
        -r "$here/requirements.txt" ||
        stop 3 "パッケージを入れられません。空き容量を確かめてください。何も残していません。" \
            "cannot install the packages; is the disk full? nothing was left behind"
    "$environment/bin/kumobashi" --version >/dev/null ||
        stop 3 "入れた雲橋が動きません。上の表示を添えて知らせてください。" "what was installed does not run"
    : >"$environment/installed"
    trap - EXIT INT TERM HUP
fi
ln -sfn "versions/$version-$seal/bin/kumobashi" "$target/kumobashi.new"
mv -f "$target/kumobashi.new" "$target/kumobashi"

say "✓ 導入しました: $target/kumobashi（$("$target/kumobashi" --version)）" "installed"
say "  次に: $target/kumobashi init --sample city" "next: a sample of a fictional city"
