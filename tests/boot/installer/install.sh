#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs a minimal Debian 12 from the shell of debian-installer: partition, file system, cdebootstrap, kernel, GRUB.
# $1: address of the check's server, which has tools.tar and the archive below /debian; $2: the disk.
# The installer's own components for this (partman, base-installer, grub-installer) are udebs, which not every mirror of
# Debian packages carries; what they run is run here.
set -e
server=$1
disk=$2
# The installer's debconf must not be taken for that of the new system.
unset DEBIAN_HAS_FRONTEND DEBCONF_REDIR DEBIAN_FRONTEND DEBCONF_FRONTEND DEBCONF_OLD_FD_BASE
export LC_ALL=C
exec < /dev/null

wait_for() {
  n=0
  until [ -b "$1" ]; do
    n=$((n + 1))
    [ $n -lt 60 ] || { echo "there is no $1"; exit 1; }
    sleep 1
  done
}

cd /
wget -q -O - "$server/tools.tar" | tar -x
# cdebootstrap runs "curl --silent --fail --location --output FILE ADDRESS".
printf '#!/bin/sh\nexec wget -q -O "$5" "$6"\n' > /usr/bin/curl
chmod +x /usr/bin/curl
# In this order each finds what it needs; a disk needs only one of the drivers.
for module in crc16 mbcache jbd2 ext4 libata ata_piix virtio_blk; do
  insmod "/modules/$module.ko" 2> /dev/null || true
done

echo "isola: partitioning"
wait_for "$disk"
echo "start=2048, type=83, bootable" | sfdisk --quiet "$disk"
wait_for "${disk}1"
mke2fs -q -t ext4 -L root "${disk}1"
mkdir -p /target
mount -t ext4 "${disk}1" /target

echo "isola: installing the base system"
cdebootstrap-static --quiet --flavour=minimal --arch=amd64 \
  --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
  --include=ifupdown,init,isc-dhcp-client,netbase,udev bookworm /target "$server/debian"

echo "isola: installing kernel and boot loader"
mount -t proc proc /target/proc
mount -t sysfs sys /target/sys
mount -o bind /dev /target/dev
echo "LABEL=root / ext4 errors=remount-ro 0 1" > /target/etc/fstab
echo isola > /target/etc/hostname
echo "127.0.0.1 localhost isola" > /target/etc/hosts
printf 'auto lo\niface lo inet loopback\n' > /target/etc/network/interfaces
echo 'APT::Install-Recommends "false";' > /target/etc/apt/apt.conf.d/90no-recommends
mkdir -p /target/etc/default/grub.d
printf 'GRUB_TIMEOUT=1\nGRUB_CMDLINE_LINUX_DEFAULT=""\nGRUB_CMDLINE_LINUX="console=tty0 console=ttyS0"\n' \
  > /target/etc/default/grub.d/isola.cfg
export DEBIAN_FRONTEND=noninteractive
# As the installer does: a power cut now means to begin anew, so nothing has to reach the disk at once.
echo force-unsafe-io > /target/etc/dpkg/dpkg.cfg.d/installing
chroot /target apt-get -q update
chroot /target apt-get -q -y install zstd linux-image-amd64 grub-pc
rm /target/etc/dpkg/dpkg.cfg.d/installing
chroot /target grub-install "$disk"
chroot /target update-grub
echo root:isola | chroot /target chpasswd
umount /target/dev /target/sys /target/proc
umount /target
echo "isola: installed"
