/** What the supervisor is told, in the order of its words. */
export interface Supervision {
  /** The player that makes room. */
  readonly processId: number;
  readonly target: string;
  readonly next: string;
  /** The updates' folder in the state. */
  readonly folder: string;
  /** What the new version has to write into the file `healthy`: no file of another try will do. */
  readonly nonce: string;
  /** SHA-512, base64. */
  readonly sha512: string;
  readonly version: string;
  /** The state that the player was in. */
  readonly expected: string;
  readonly healthySeconds: number;
  /** The player's own command line. */
  readonly words: readonly string[];
}

/**
 * Starts the new version and takes it back unless it proves itself. A program of the present version, so that no fault
 * of the new one can harm it; and of the shell's, so that it needs nothing of either file.
 *
 * At any moment the file at `target` is whole: the old one, or, after one rename, the new one that was healthy.
 */
export const supervisorScript = `
set -u
old=$1 target=$2 next=$3 folder=$4 nonce=$5 sha512=$6 version=$7 expected=$8 limit=$9
shift 9
# The old image stays mounted while anybody holds its pipe.
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
trial=

alive() {
  line=$(cat "/proc/$1/stat" 2> /dev/null) || return 1
  case \${line##*) } in Z* | X*) return 1 ;; esac
}
# Seconds of a clock that nobody sets.
now() { read -r up rest < /proc/uptime; echo "\${up%%.*}"; }
proven() { [ "$(cat "$folder/healthy" 2> /dev/null)" = "$nonce" ]; }
say() { echo "signet-player: update: $*" >&2; }
# The session or the machine ends: that is nobody's fault, and what was begun is swept at the next start.
trap '[ -z "$trial" ] || kill -s TERM -- "-$trial" 2> /dev/null; exit 0' TERM INT HUP

until=$(($(now) + 30))
while alive "$old"; do
  [ "$(now)" -lt "$until" ] || kill -s KILL "$old" 2> /dev/null || break
  sleep 0.1
done

SIGNET_UPDATE_TRIAL=$nonce SIGNET_UPDATE_TARGET=$target SIGNET_UPDATE_EXPECT=$expected setsid -- "$next" "$@" &
trial=$!
until=$(($(now) + limit))
while alive "$trial" && ! proven && [ "$(now)" -lt "$until" ]; do sleep 0.2; done

if alive "$trial" && proven; then
  mv -f -- "$next" "$target" || say "$target could not be replaced: the next start is of the old version"
  sync -f -- "$target" 2> /dev/null
  rm -f -- "$folder/healthy"
  exit 0
fi

reason="did not start"
alive "$trial" && reason="showed no healthy frame within $limit s"
say "version $version $reason: going back"
printf '%s\\n' "$sha512" >> "$folder/refused"
sync -- "$folder/refused" 2> /dev/null
kill -s TERM -- "-$trial" 2> /dev/null
tries=0
while alive "$trial" && [ "$tries" -lt 25 ]; do sleep 0.2; tries=$((tries + 1)); done
kill -s KILL -- "-$trial" 2> /dev/null
wait "$trial" 2> /dev/null
rm -f -- "$next" "$folder/healthy"
trap - TERM INT HUP
SIGNET_UPDATE_ROLLED_BACK=$version exec "$target" "$@"
`;

/** The words of `/bin/sh` for one supervision. */
export function supervisorWords(of: Supervision): readonly string[] {
  const { processId, target, next, folder, nonce, sha512, version, expected, healthySeconds, words } = of;
  const told = [processId, target, next, folder, nonce, sha512, version, expected, healthySeconds].map(String);
  return ['-c', supervisorScript, 'signet-player-update', ...told, ...words];
}

/** The environment for the next player: without what belongs to the present image or try. */
export function nextEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const folder = env['APPDIR'] ?? '';
  const left = /^(?:APPIMAGE|APPDIR|ARGV0|OWD|LD_LIBRARY_PATH|SIGNET_UPDATE_.*)$/;
  const kept = Object.fromEntries(Object.entries(env).filter(([name]) => !left.test(name)));
  const libraries = (env['LD_LIBRARY_PATH'] ?? '')
    .split(':')
    .filter((path) => path !== '' && (folder === '' || !path.startsWith(`${folder}/`)));
  return libraries.length === 0 ? kept : { ...kept, LD_LIBRARY_PATH: libraries.join(':') };
}
