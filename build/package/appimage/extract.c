#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime.h"

bool openImage(sqfs* fs, const char* path, size_t offset) {
  // Says itself on stderr what is wrong with the image.
  return sqfs_open_image(fs, path, offset) == SQFS_OK;
}

static bool writeFile(sqfs* fs, sqfs_inode* inode, const char* target) {
  static char piece[1 << 20];
  const int out = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (out < 0) return false;
  bool good = true;
  for (sqfs_off_t at = 0; good && (uint64_t)at < inode->xtra.reg.file_size;) {
    sqfs_off_t length = sizeof piece;
    good = sqfs_read_range(fs, inode, at, &length, piece) == SQFS_OK && length > 0 &&
           write(out, piece, (size_t)length) == length;
    at += length;
  }
  good = fchmod(out, inode->base.mode & 0777) == 0 && good;
  return close(out) == 0 && good;
}

static bool writeLink(sqfs* fs, sqfs_inode* inode, const char* target) {
  char to[4096];
  size_t size = sizeof to;
  return sqfs_readlink(fs, inode, to, &size) == SQFS_OK && symlink(to, target) == 0;
}

/** Makes the folders above a file. */
static void makeParents(char* path, size_t from) {
  for (char* at = path + from; (at = strchr(at, '/')) != NULL; at++) {
    *at = 0;
    mkdir(path, 0755);
    *at = '/';
  }
}

static bool extractEntry(sqfs* fs, sqfs_traverse* at, const char* target) {
  sqfs_inode inode;
  if (sqfs_inode_get(fs, &inode, sqfs_dentry_inode(&at->entry)) != SQFS_OK) return false;
  if (S_ISDIR(inode.base.mode)) return mkdir(target, 0755) == 0 || errno == EEXIST;
  if (S_ISREG(inode.base.mode)) return writeFile(fs, &inode, target);
  return !S_ISLNK(inode.base.mode) || writeLink(fs, &inode, target);
}

bool extractImage(const char* path, size_t offset, const char* folder, const char* pattern, bool tell) {
  sqfs fs;
  sqfs_traverse at;
  if (!openImage(&fs, path, offset) || sqfs_traverse_open(&at, &fs, sqfs_inode_root(&fs)) != SQFS_OK)
    return false;
  sqfs_err error = SQFS_OK;
  bool good = mkdir(folder, 0755) == 0 || errno == EEXIST;
  while (good && sqfs_traverse_next(&at, &error)) {
    if (at.dir_end || (pattern != NULL && fnmatch(pattern, at.path, FNM_LEADING_DIR) != 0)) continue;
    char target[8192];
    const int length = snprintf(target, sizeof target, "%s/%s", folder, at.path);
    good = length > 0 && (size_t)length < sizeof target;
    if (good && pattern != NULL) makeParents(target, strlen(folder) + 1);
    good = good && extractEntry(&fs, &at, target);
    if (!good) fprintf(stderr, "AppImage: %s cannot be extracted: %s\n", target, strerror(errno));
    if (good && tell) puts(target);
  }
  sqfs_traverse_close(&at);
  return good && error == SQFS_OK;
}

static int removeEntry(const char* path, const struct stat* status, int kind, struct FTW* where) {
  (void)status;
  (void)kind;
  (void)where;
  return remove(path);
}

void removeTree(const char* folder) { nftw(folder, removeEntry, 32, FTW_DEPTH | FTW_PHYS); }
