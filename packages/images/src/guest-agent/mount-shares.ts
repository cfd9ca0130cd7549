// SPDX-License-Identifier: Apache-2.0

/** Where the script is in images. */
export const MOUNT_SHARES_PATH = "/usr/lib/isola/mount-shares";

/**
 * Mounts the folders that the host shares: their tags are on the kernel's command line, since a guest cannot ask for them.
 * `isola.share=work,data:ro` means two of them, the second one read only.
 */
export const MOUNT_SHARES = `#!/bin/sh
set -f
read -r cmdline < /proc/cmdline
status=0
for word in $cmdline; do
  case "$word" in
    isola.share=*) ;;
    *) continue ;;
  esac
  for share in $(echo "\${word#isola.share=}" | tr , " "); do
    tag="\${share%:ro}"
    mode=rw
    [ "$tag" = "$share" ] || mode=ro
    mkdir -p "/mnt/$tag"
    mount -t virtiofs -o "$mode" "$tag" "/mnt/$tag" || status=1
  done
done
exit $status
`;
