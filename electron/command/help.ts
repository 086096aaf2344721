/** What `--help` prints; the manual page says the same at more length. */
export const help = `signet-player: digital signage whose identity is a key in the TPM

  signet-player                    play on the display of this session
  signet-player --doctor           check TPM, group, sandbox, graphics, display, disk, clock, network, certificate
  signet-player identity           key fingerprint, certificate and registration of this screen
  signet-player settings check [FILE]
                                   judge a settings file; FILE where absent is the one that would be used
  signet-player unregister         forget certificate, registration and content; the key stays
    --yes                          without asking
    --forget-key                   the key too: the screen is another one afterwards
  signet-player setup-kiosk        as root, from the .deb: make this machine a kiosk (--dry-run, --undo, --help)
  signet-player --version
  signet-player --help

  --settings FILE                  instead of /etc/signet-player/settings.json
  --json                           with --doctor, identity, settings check, --version: one JSON object

Exit codes: 0 done; 1 the doctor found a fault, or there was nothing to do it with; 64 not understood;
70 a fault of the program; 75 try again later; 78 a person has to mend settings, access or the TPM.
`;
