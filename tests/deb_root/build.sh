#!/bin/sh
# Makes the Debian 13 root that `make test-deb` installs the package in; FILE is kept while it belongs to this script.
#
#   build.sh FILE.tar
#
# MIRROR overrides where Debian's packages come from.
set -eu
mkdir -p "$(dirname "$1")"
wanted=$(sha256sum <"$0")
[ -e "$1" ] && [ "$(cat "$1.built" 2>/dev/null)" = "$wanted" ] && exit 0
rm -f "$1.built"

# shellcheck disable=SC2016
mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/$' || true)}
echo "Making a Debian 13 to install in: two minutes ..."
mmdebstrap --quiet --variant=minbase --include=systemd,python3,debconf trixie "$1" ${mirror:+"$mirror"}
echo "$wanted" >"$1.built"
