/** Codes of hosts: reaching them, looking at them, changing them; part of the registry in `codes.ts`. */
interface Entry {
  readonly title: string;
  readonly remedy: string;
  readonly exit: 1 | 2 | 3;
}

const entry = (exit: 1 | 2 | 3, title: string, remedy: string): Entry => ({ title, remedy, exit });

export const HOST_CODES = {
  "host.unreachable": entry(
    1,
    "A host cannot be reached or refuses the login.",
    "Check its address, its SSH server and the key; ssh USER@HOST true tells the same by hand.",
  ),
  "host.key-unknown": entry(
    3,
    "The SSH key of a host is not known here, so it may be anybody.",
    "Compare its fingerprint on the host's own console, then add it: ssh-keyscan HOST >> ~/.ssh/known_hosts",
  ),
  "host.key-changed": entry(
    3,
    "A host shows another SSH key than the one that is known here.",
    "If the host was installed anew: ssh-keygen -R HOST, and add the new key. Otherwise somebody stands in between.",
  ),
  "doctor.unknown-host": entry(
    2,
    "doctor was asked for a machine that the spec does not have.",
    "Name a machine of the spec, or give an address: --host ssh://root@192.168.3.10",
  ),
  "doctor.unconfirmed": entry(
    3,
    "Changes to a host were shown, and nobody agreed to them.",
    "Read them, then answer y on a terminal, or add --yes.",
  ),
  "host.command-failed": entry(
    1,
    "A command on a host failed.",
    "Its own words stand in the message; ./omni apply --report keeps all of them.",
  ),
  "gpu.refused": entry(
    3,
    "Moving a card between drivers was refused for safety; nothing was moved.",
    "Do what the message names for each refusal, then run the same command again.",
  ),
  "gpu.failed": entry(
    1,
    "Moving a card between drivers failed on the way.",
    "Look with ./omni gpu status, then ./omni gpu restore brings back what was there before.",
  ),
  "gpu.unfinished": entry(
    3,
    "An earlier switch of cards did not end, so cards may be half moved.",
    "Run ./omni gpu restore, which puts every function back where it was before.",
  ),
  "gpu.consent": entry(
    3,
    "A card that is in use, or that the firmware booted with, is only taken away with an explicit consent.",
    "Read what would happen, then add --yes and the --consent option that the message names.",
  ),
  "gpu.unreadable": entry(
    1,
    "The cards of a host cannot be read.",
    "Its own words stand in the message; run as root on the host itself.",
  ),
  "disk.refused": entry(
    3,
    "A disk is not the one that the spec names, or carries something; it was left alone.",
    "Compare what was found with disks in omni.yaml: lsblk -o NAME,SERIAL,SIZE,FSTYPE,MOUNTPOINTS. Omni never erases.",
  ),
  "disk.failed": entry(
    1,
    "A disk could not be read, made or mounted.",
    "The words of the tool that failed stand in the message; dmesg tells whether the disk itself is at fault.",
  ),
  "disk.no-space": entry(
    1,
    "A disk is too small for what belongs on it.",
    "Free the space that the message names, or put models elsewhere: store.disk in the spec.",
  ),
  "disk.not-talos": entry(
    3,
    "A disk that Talos prepares cannot be looked at from here.",
    "Install talosctl here and give it the cluster's talosconfig: TALOSCONFIG=….",
  ),
  "host.refused": entry(
    3,
    "A host is not what the spec says it is, or lacks what the change needs; nothing was changed.",
    "The message says what was found; correct the spec, or the host.",
  ),
  "host.reboot-by-hand": entry(
    3,
    "The machine that Omni runs on has to be rebooted before the runbook can go on.",
    "Reboot it when nobody needs it, then run ./omni apply again: it goes on from there.",
  ),
} as const;
