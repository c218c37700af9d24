interface SecretNames {
  /** Why these are closed, and where the names come from. */
  readonly reason: string;
  readonly globs: readonly string[];
}

/**
 * Names that hold secrets by the documentation of the programs that use them. They are closed to every client, for reading
 * and for writing, whatever the owner's roots are. A glob without a slash means a name at any depth.
 */
export const SECRET_NAMES: readonly SecretNames[] = [
  {
    reason: "Environment and memory of processes, where a root has a /proc in it: proc(5)",
    globs: ["**/proc/*/{environ,mem,auxv,cmdline}", "**/proc/*/task/*/{environ,mem,auxv,cmdline}"],
  },
  {
    reason: "Environment files with credentials (dotenv, direnv, docker compose)",
    globs: [".env*", "*.env"],
  },
  {
    reason: "Keys of SSH and who may log in by them: ssh(1), FILES; PuTTY's .ppk",
    globs: [
      ".ssh",
      "id_rsa*",
      "id_dsa*",
      "id_ecdsa*",
      "id_ed25519*",
      "ssh_host_*key*",
      "authorized_keys*",
      "*.ppk",
    ],
  },
  {
    reason: "Private keys and their containers (PEM, PKCS #8, PKCS #12, Java)",
    globs: ["*.pem", "*.key", "*.p12", "*.pfx", "*.pkcs12", "*.jks", "*.keystore"],
  },
  {
    reason: "Rings of GnuPG and stores of passwords (pass, KeePass)",
    globs: [".gnupg", "secring.*", ".password-store", "*.kdbx"],
  },
  {
    reason: "Credentials of clouds: AWS CLI, Azure CLI, gcloud, s3cmd, boto",
    globs: [
      ".aws",
      ".azure",
      "**/gcloud/{credentials.db,access_tokens.db,legacy_credentials,application_default_credentials.json}",
      "application_default_credentials.json",
      ".s3cfg",
      ".boto",
    ],
  },
  {
    reason:
      "Access to clusters and registries: kubectl, Talos, Docker, Helm, Terraform's state holds secrets in plain",
    globs: [
      ".kube",
      "kubeconfig*",
      "talosconfig*",
      ".talos",
      ".docker/config.json",
      "**/.docker/config.json",
      ".dockercfg",
      "*.tfstate",
      "*.tfstate.*",
      ".terraformrc",
      "credentials.tfrc.json",
    ],
  },
  {
    reason:
      "Stored passwords and tokens: netrc(5), git-credential-store(1), npm, Yarn, PyPI, Cargo, gh, Vault, Hugging Face",
    globs: [
      ".netrc",
      "_netrc",
      ".git-credentials",
      ".npmrc",
      ".yarnrc.yml",
      ".pypirc",
      "**/.cargo/credentials*",
      "**/.gem/credentials",
      "**/.config/gh",
      ".vault-token",
      ".htpasswd",
      "**/huggingface/{token,stored_tokens}",
      "**/.composer/auth.json",
    ],
  },
  {
    reason: "Passwords of databases: PostgreSQL's password file, MySQL's option and login files",
    globs: [".pgpass", "pgpass.conf", ".my.cnf", ".mylogin.cnf"],
  },
  {
    reason: "What was typed, passwords among it",
    globs: [".*_history"],
  },
  {
    reason: "Hashes of passwords: shadow(5)",
    globs: ["**/etc/{shadow,gshadow,shadow-,gshadow-}", "**/etc/sudoers*"],
  },
  {
    reason:
      "Addresses of remotes hold tokens, and hooks and configuration run programs: gitrepository-layout(5)",
    globs: [".git", ".hg", ".svn"],
  },
  {
    reason: "This server's own files while it writes",
    globs: [".omni-*.tmp"],
  },
];
