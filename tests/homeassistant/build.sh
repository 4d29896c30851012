#!/bin/sh
# Installs Home Assistant for `make test-homeassistant`.
#
#   build.sh FOLDER
#
# This version wants Python 3.13.2 or newer. Where the machine has none, a Debian 13 is put into a folder of its own
# and entered with chroot, which only root can. MIRROR overrides where Debian's packages come from. Leaves FOLDER/hass,
# which takes the folder of the configuration as its argument. What is there and is the same version is kept.
set -eu
VERSION=2026.2.3
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin
mkdir -p "$1"
out=$(cd "$1" && pwd)

wanted=$(cat "$0" "$here/install.py" | sha256sum)
[ "$(cat "$out/built" 2>/dev/null)" = "$wanted" ] && exit 0
rm -rf "$out/built" "$out/hass" "$out/root" "$out/env"

python=
for one in python3.13 python3 "$tree/.venv/bin/python"; do
    if "$one" -c 'import ensurepip, sys; sys.exit(not (3, 13, 2) <= sys.version_info < (3, 14))' 2>/dev/null; then
        python=$one
        break
    fi
done

if [ -n "$python" ]; then
    "$python" -m venv "$out/env"
    "$tree/.venv/bin/uv" pip install --quiet --python "$out/env/bin/python" "homeassistant==$VERSION"
    "$out/env/bin/python" "$here/install.py" >"$out/more.txt"
    "$tree/.venv/bin/uv" pip install --quiet --python "$out/env/bin/python" -r "$out/more.txt"
    cat >"$out/hass" <<END
#!/bin/sh
exec "$out/env/bin/hass" --skip-pip --config "\$1"
END
    cat >"$out/python" <<END
#!/bin/sh
exec "$out/env/bin/python" -
END
else
    if [ "$(id -u)" != 0 ] || ! command -v mmdebstrap >/dev/null; then
        echo "Home Assistant $VERSION needs Python 3.13.2 or newer; or root, and mmdebstrap to get one." >&2
        exit 1
    fi
    echo "Building a Debian 13 with Home Assistant $VERSION, in about three minutes ..."
    mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/$' || true)}
    root=$out/root
    # A compiler for the few packages that come without wheels.
    mmdebstrap --quiet --variant=minbase --mode=root --format=directory \
        --include=python3,python3-venv,python3-dev,gcc,g++,libc6-dev,ca-certificates,libturbojpeg0 \
        trixie "$root" ${mirror:+"$mirror"}
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    cp "$tree/.venv/bin/uv" "$root/usr/local/bin/uv"
    cp "$here/install.py" "$root/install.py"
    chroot "$root" sh -eu -c "
        python3 -m venv /env
        uv pip install --quiet --no-cache --python /env/bin/python homeassistant==$VERSION
        /env/bin/python /install.py >/more.txt
        uv pip install --quiet --no-cache --python /env/bin/python -r /more.txt"
    mkdir "$root/config"
    # In namespaces of its own: it ends with this script, and so do the mounts.
    cat >"$out/hass" <<END
#!/bin/sh
exec unshare --mount --pid --fork --kill-child=TERM sh -eu -c '
    mount -t proc proc "$root/proc"
    mount --bind "\$1" "$root/config"
    exec chroot "$root" env -i PATH=/usr/bin:/bin HOME=/config /env/bin/hass --skip-pip --config /config' sh "\$1"
END
    cat >"$out/python" <<END
#!/bin/sh
exec chroot "$root" /env/bin/python -
END
fi
chmod +x "$out/hass" "$out/python"
echo "$wanted" >"$out/built"
