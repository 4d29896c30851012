#!/bin/sh
# Builds the guest of `make test-hub`: a Debian 13 with systemd, BlueZ and mosquitto, and its kernel.
# The package is installed in it under a lower number, as the release before.
#
#   build.sh FOLDER DEB
#
# Makes FOLDER/{disk.img,vmlinuz,initrd}. MIRROR overrides where Debian's packages come from; without it the mirror
# of this machine is used. What is there and belongs to the same image and package is kept. The package is installed
# here because that takes minutes in a guest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
PATH=$PATH:/usr/sbin
mkdir -p "$1"
out=$(cd "$1" && pwd)
deb=$(realpath "$2")

# The package too: the steps before the upgrade would otherwise run an earlier build.
wanted=$(cd "$tree" && {
    sha256sum <"$deb"
    find tests/hub_guest/build.sh tests/hub_guest/overlay docs/mosquitto.acl -type f -exec sha256sum {} + | sort
} | sha256sum)
[ "$(cat "$out/built" 2>/dev/null)" = "$wanted" ] && exit 0
rm -f "$out/built"

mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m 1 '/debian/$' || true)}
older=$out/older
rm -rf "$older" && mkdir "$older"
dpkg-deb -R "$deb" "$older/tree"
sed -i "s/^Version: .*/Version: 0.0.9/" "$older/tree/DEBIAN/control"
# It knows the first format of the database only: the way back is refused.
sed -i "s/database check [0-9]*/database check 1/" "$older/tree/DEBIAN/preinst"
dpkg-deb --root-owner-group -Znone -b "$older/tree" "$older/pinsmith.deb" >/dev/null
rm -r "$older/tree"

echo "Building the guest, a Debian 13, in about two minutes ..."
# The guest boots from a disk of one kind: all other modules would only be unpacked slowly.
mmdebstrap --quiet --variant=minbase --format=tar \
    --include=linux-image-amd64,systemd-sysv,initramfs-tools,zstd,bluez,dbus,kmod,udev,python3,debconf \
    --include=mosquitto,mosquitto-clients \
    --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"' \
    --essential-hook='printf "MODULES=list\nCOMPRESS=zstd\n" >"$1/etc/initramfs-tools/conf.d/guest"' \
    --essential-hook='printf "virtio_pci\nvirtio_blk\next4\n" >"$1/etc/initramfs-tools/modules"' \
    --customize-hook="copy-in $here/overlay/etc /" \
    --customize-hook="copy-in $tree/docs/mosquitto.acl /etc/mosquitto" \
    --customize-hook='chroot "$1" mosquitto_passwd -b -c /etc/mosquitto/passwords pinsmith of-the-hub' \
    --customize-hook='chroot "$1" mosquitto_passwd -b /etc/mosquitto/passwords outside of-the-house' \
    --customize-hook='chroot "$1" mosquitto_passwd -b /etc/mosquitto/passwords homeassistant of-home-assistant' \
    --customize-hook='chroot "$1" chown mosquitto: /etc/mosquitto/passwords /etc/mosquitto/mosquitto.acl' \
    --customize-hook="copy-in $older/pinsmith.deb /root" \
    --customize-hook='mv "$1/root/pinsmith.deb" "$1/root/older.deb"; chroot "$1" dpkg -i /root/older.deb' \
    --customize-hook='mkdir -p "$1/tree" "$1/debs" "$1/var/log/journal"' \
    --customize-hook='touch "$1/etc/.updated" "$1/var/.updated"' \
    --customize-hook='chroot "$1" systemctl --quiet enable orders.socket adapter systemd-networkd' \
    --customize-hook='chroot "$1" systemctl --quiet mask getty.target systemd-logind.service apt-daily.timer \
        apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
        systemd-networkd-wait-online.service' \
    trixie "$out/root.tar" ${mirror:+"$mirror"}

# As root of its own making: the files keep their owners.
fakeroot sh -eu -c '
    cd "$1"
    rm -rf root disk.img
    mkdir root
    tar -xf root.tar -C root --exclude="./dev/*"
    mv root/boot/vmlinuz-* vmlinuz
    mv root/boot/initrd.img-* initrd
    mke2fs -q -t ext4 -d root disk.img 2500M
    rm -rf root root.tar
' sh "$out"
rm -r "$older"
echo "$wanted" >"$out/built"
