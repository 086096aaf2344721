#include "runtime.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char help[] =
    "AppImage options, before all others:\n"
    "  --appimage-extract [PATTERN]  extract the files into squashfs-root/\n"
    "  --appimage-extract-and-run    extract to a temporary folder and run from there, for systems without "
    "FUSE\n"
    "  --appimage-mount              mount and wait, printing where\n"
    "  --appimage-offset             print where the file system begins, bytes\n"
    "  --appimage-version            print the runtime's version\n"
    "  --appimage-help               this text\n"
    "APPIMAGE_EXTRACT_AND_RUN=1 is the second of them.\n";

/** Where the ELF file that this runtime is ends, and the file system begins; 0 where it cannot be read. */
static size_t imageOffset(const char* path) {
  Elf64_Ehdr header;
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const bool whole = read(file, &header, sizeof header) == sizeof header;
  close(file);
  return whole ? header.e_shoff + (size_t)header.e_shentsize * header.e_shnum : 0;
}

static int refuse(const char* problem, const char* remedy) {
  fprintf(stderr, "AppImage: %s: %s\n", problem, remedy);
  return 127;
}

/** Makes a folder of its own in TMPDIR, whose name nobody can foresee. */
static bool makeFolder(char* folder, size_t size, const char* name) {
  const char* base = getenv("TMPDIR");
  snprintf(folder, size, "%s/%s-XXXXXX", base != NULL && base[0] == '/' ? base : "/tmp", name);
  return mkdtemp(folder) != NULL;
}

static void describe(const char* image, const char* folder, const char* invoked) {
  char here[PATH_MAX];
  setenv("APPIMAGE", image, 1);
  setenv("APPDIR", folder, 1);
  setenv("ARGV0", invoked, 1);
  if (getcwd(here, sizeof here) != NULL) setenv("OWD", here, 1);
}

static int start(const char* folder, char** words) {
  char program[PATH_MAX + 32];
  snprintf(program, sizeof program, "%s/AppRun", folder);
  execv(program, words);
  return refuse("AppRun does not start", strerror(errno));
}

static volatile sig_atomic_t child = 0;

static void passOn(int number) {
  if (child > 0) kill((pid_t)child, number);
}

/** Runs from a folder that is removed afterwards; signals and the exit status are passed on. */
static int runExtracted(const char* image, size_t offset, char** words) {
  char folder[PATH_MAX];
  if (!makeFolder(folder, sizeof folder, "signet-extracted"))
    return refuse("no temporary folder", strerror(errno));
  int status = 1 << 8;
  if (extractImage(image, offset, folder, NULL, false)) {
    describe(image, folder, words[0]);
    // What the application starts of its own kind cannot be mounted here either.
    setenv("APPIMAGE_EXTRACT_AND_RUN", "1", 1);
    const int passed[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
    child = fork();
    if (child == 0) _exit(start(folder, words));
    for (size_t at = 0; at < sizeof passed / sizeof *passed; at++) signal(passed[at], passOn);
    while (waitpid((pid_t)child, &status, 0) < 0 && errno == EINTR) continue;
  }
  removeTree(folder);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int runMounted(const char* image, size_t offset, char** words, bool onlyMount) {
  char folder[PATH_MAX];
  int alive[2];
  if (!makeFolder(folder, sizeof folder, "signet-mount") || pipe(alive) != 0)
    return refuse("no temporary folder", strerror(errno));
  if (!mountImage(image, offset, folder, alive[0], alive[1])) {
    return refuse("the image cannot be mounted", "install fuse3, or start with --appimage-extract-and-run");
  }
  if (onlyMount) {
    puts(folder);
    fflush(stdout);
    for (;;) pause();
  }
  // The pipe's end stays open in the application: when its last process is gone, the mount goes too.
  describe(image, folder, words[0]);
  return start(folder, words);
}

int main(int count, char** words) {
  char image[PATH_MAX];
  const char* named = getenv("TARGET_APPIMAGE");
  if (realpath(named != NULL ? named : "/proc/self/exe", image) == NULL)
    return refuse("no image", strerror(errno));
  const size_t offset = imageOffset(image);
  if (offset == 0) return refuse(image, "not an AppImage");
  const char* option = count > 1 && strncmp(words[1], "--appimage-", 11) == 0 ? words[1] + 11 : "";
  if (strcmp(option, "help") == 0) return fputs(help, stdout) < 0;
  if (strcmp(option, "version") == 0) return puts("signet-player AppImage runtime, type 2, 1") < 0;
  if (strcmp(option, "offset") == 0) return printf("%zu\n", offset) < 0;
  if (strcmp(option, "extract") == 0)
    return extractImage(image, offset, "squashfs-root", count > 2 ? words[2] : NULL, true) ? 0 : 1;
  if (strcmp(option, "mount") == 0) return runMounted(image, offset, words, true);
  if (strcmp(option, "extract-and-run") == 0) {
    words[1] = words[0];
    return runExtracted(image, offset, words + 1);
  }
  if (*option != 0) return refuse(words[1], "no such option: --appimage-help lists them");
  const char* extract = getenv("APPIMAGE_EXTRACT_AND_RUN");
  if (extract != NULL && strcmp(extract, "1") == 0) return runExtracted(image, offset, words);
  return runMounted(image, offset, words, false);
}
