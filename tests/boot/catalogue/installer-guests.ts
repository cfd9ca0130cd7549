// SPDX-License-Identifier: Apache-2.0
// debian-installer from its network boot images, up to its first dialog.
import type { Guest, Step } from "./guest.js";
import { isolinuxCd, isolinuxMenuCd, type LinuxSource, packagedLinux } from "./media.js";
import type { Architecture } from "../packages.js";

const TITLES = { amd64: "64-bit", i386: "32-bit" } as const;

function imagesOf(of: Architecture, kind: "text" | "gtk"): string {
  return `usr/lib/debian-installer/images/12/${of}/${kind}/debian-installer/${of}`;
}

/** Kernel and initramfs of the installer. */
export function installer(of: Architecture, kind: "text" | "gtk"): LinuxSource {
  const images = imagesOf(of, kind);
  return packagedLinux(`debian-installer-12-netboot-${of}`, `${images}/linux`, `${images}/initrd.gz`, of);
}

/** On the text screen of the VGA, where the text can be read back: no driver of the kernel takes the display over. */
function textInstaller(of: Architecture): Guest {
  return {
    id: `installer-text-${of}`,
    title: `debian-installer 12, ${TITLES[of]}, text, by ISOLINUX`,
    media: { "installer.iso": isolinuxCd(installer(of, "text"), "vga=normal fb=false nomodeset --- quiet") },
    stages: [
      {
        options: ["--machine", "pc", "--cdrom", "@installer.iso", "--memory", "1G"],
        console: "screen",
        steps: [{ see: /Select a language/ }, { see: /English +- +English/ }, { picture: `installer-text-${of}` }],
      },
    ],
  };
}

const MENU_TITLE = "Debian GNU/Linux installer menu (BIOS mode)";
/** Hashes of what the pictures below show in these regions: letters of one font, drawn by one program. */
const MENU: Step = {
  look: { x: 140, y: 147, width: 350, height: 20 },
  pixels: "8881e25aaafc0ebdddb9f8ad17532e5bed746d4786b2a1fd45ea839d2a690ce4",
  shows: MENU_TITLE,
};
const TITLE: Step = {
  look: { x: 18, y: 86, width: 124, height: 18 },
  pixels: "c59bbde5a4cbd7dee93d39b3898e2d9c03349c23d1eaaffee3460f18e69e9285",
  shows: "Select a language",
};
const SELECTED: Step = {
  look: { x: 20, y: 427, width: 300, height: 24 },
  pixels: "a3ab94a7c730be3ac9c0e6092a2dec2123056377e977e48ac07b0b24d1bf89a8",
  shows: "English - English",
};

function graphicalInstaller(of: Architecture): Guest {
  const images = imagesOf(of, "gtk");
  return {
    id: `installer-gtk-${of}`,
    title: `debian-installer 12, ${TITLES[of]}, graphical, from the menu of its boot loader`,
    slow: true,
    media: {
      "installer.iso": isolinuxMenuCd(
        installer(of, "gtk"),
        { packageName: `debian-installer-12-netboot-${of}`, directory: `${images}/boot-screens`, of },
        MENU_TITLE,
        "vga=788 --- quiet",
      ),
    },
    stages: [
      {
        options: ["--machine", "pc", "--cdrom", "@installer.iso", "--memory", "1280M"],
        console: "screen",
        steps: [
          MENU,
          { picture: `installer-menu-${of}` },
          { type: "\r" },
          TITLE,
          SELECTED,
          { picture: `installer-gtk-${of}` },
        ],
      },
    ],
  };
}

export const installerGuests: readonly Guest[] = [
  textInstaller("amd64"),
  textInstaller("i386"),
  graphicalInstaller("amd64"),
  graphicalInstaller("i386"),
];
