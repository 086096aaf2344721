#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime.h"

static const struct fuse_lowlevel_ops operations = {
    .lookup = sqfs_ll_op_lookup,
    .forget = sqfs_ll_op_forget,
    .getattr = sqfs_ll_op_getattr,
    .readlink = sqfs_ll_op_readlink,
    .open = sqfs_ll_op_open,
    .read = sqfs_ll_op_read,
    .release = sqfs_ll_op_release,
    .opendir = sqfs_ll_op_opendir,
    .readdir = sqfs_ll_op_readdir,
    .releasedir = sqfs_ll_op_releasedir,
    .statfs = stfs_ll_op_statfs,
};

/** Answers the kernel until the mount or the last holder of the pipe's other end is gone. */
static void serve(struct fuse_session* session, int alive) {
  struct fuse_buf buffer = {.mem = NULL};
  struct pollfd watched[] = {{.fd = fuse_session_fd(session), .events = POLLIN},
                             {.fd = alive, .events = POLLIN}};
  while (!fuse_session_exited(session)) {
    if (poll(watched, 2, -1) < 0 && errno != EINTR) break;
    if (watched[0].revents & POLLIN) {
      const int got = fuse_session_receive_buf(session, &buffer);
      if (got == -EINTR || got == -EAGAIN) continue;
      if (got <= 0) break;
      fuse_session_process_buf(session, &buffer);
    } else if (watched[0].revents != 0 || watched[1].revents != 0) {
      break;
    }
  }
  free(buffer.mem);
}

/** The serving process. `ready` gets one byte when the folder shows the image. */
static void serveImage(const char* path, size_t offset, const char* folder, int alive, int ready) {
  sqfs_ll* image = calloc(1, sizeof *image);
  if (image == NULL || !openImage(&image->fs, path, offset) || sqfs_ll_init(image) != SQFS_OK) return;
  char* words[] = {"appimage", "-o", "ro,nosuid,nodev,fsname=appimage,subtype=squashfuse"};
  struct fuse_args args = FUSE_ARGS_INIT(3, words);
  struct fuse_session* session = fuse_session_new(&args, &operations, sizeof operations, image);
  if (session == NULL || fuse_session_mount(session, folder) != 0) return;
  if (write(ready, "", 1) == 1) {
    close(ready);
    serve(session, alive);
  }
  fuse_session_unmount(session);
  fuse_session_destroy(session);
  sqfs_ll_destroy(image);
}

bool mountImage(const char* path, size_t offset, const char* folder, int aliveRead, int aliveWrite) {
  int ready[2];
  if (pipe(ready) != 0) return false;
  const pid_t server = fork();
  if (server < 0) return false;
  if (server == 0) {
    // Signals of the terminal are for the application.
    setsid();
    close(aliveWrite);
    close(ready[0]);
    if (chdir("/") == 0) serveImage(path, offset, folder, aliveRead, ready[1]);
    rmdir(folder);
    _exit(0);
  }
  close(aliveRead);
  close(ready[1]);
  char byte;
  const bool mounted = read(ready[0], &byte, 1) == 1;
  close(ready[0]);
  return mounted;
}
