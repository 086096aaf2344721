// AppRun: what an AppImage starts. Looks whether Chromium's sandbox can be made, because the player never
// runs without it, and lets the libraries inside be found.
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/** sysexits(3): only a person can mend it. */
enum { configuration = 78 };

/** Whether this user may make the namespaces that the sandbox is made of. Ubuntu allows the first and forbids
 * the rest. */
static int namespacesAllowed(void) {
  const pid_t child = fork();
  if (child == 0) _exit(unshare(CLONE_NEWUSER) == 0 && unshare(CLONE_NEWPID | CLONE_NEWNET) == 0 ? 0 : 1);
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  return status == 0;
}

static int refuse(const char* words) {
  fprintf(stderr, "signet-player: %s\n", words);
  return configuration;
}

int main(int count, char** words) {
  (void)count;
  char folder[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 64);
  if (length <= 0) return refuse("SANDBOX_UNAVAILABLE: /proc is not mounted");
  folder[length] = 0;
  *strrchr(folder, '/') = 0;
  if (geteuid() == 0)
    return refuse(
        "SANDBOX_UNAVAILABLE: started as root, for whom Chromium has no sandbox: start it as an ordinary "
        "user");
  if (!namespacesAllowed())
    return refuse(
        "SANDBOX_UNAVAILABLE: this system forbids user namespaces, which the sandbox is made of. As root: "
        "sysctl "
        "user.max_user_namespaces=15000 and, where it exists, kernel.unprivileged_userns_clone=1; on Ubuntu "
        "24.04 and "
        "newer allow them to this file in /etc/apparmor.d, or install the .deb, which does");
  static char libraries[1 << 16];
  // An empty part of the path would be the current folder.
  const char* before = getenv("LD_LIBRARY_PATH");
  const int more = before != NULL && *before != '\0';
  snprintf(libraries, sizeof libraries, "%s/usr/lib%s%s", folder, more ? ":" : "", more ? before : "");
  setenv("LD_LIBRARY_PATH", libraries, 1);
  char program[PATH_MAX + 32];
  snprintf(program, sizeof program, "%s/signet-player", folder);
  execv(program, words);
  fprintf(stderr, "signet-player: %s: %s\n", program, strerror(errno));
  return 127;
}
