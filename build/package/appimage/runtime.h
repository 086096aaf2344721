// The runtime in front of an AppImage of type 2: https://github.com/AppImage/AppImageSpec
#pragma once

#include <squashfuse/ll.h>
#include <squashfuse/squashfuse.h>

/** Opens the file system that begins `offset` bytes into a file; says why and returns false where it cannot.
 */
bool openImage(sqfs* fs, const char* path, size_t offset);

/**
 * Mounts the file system on an empty folder. A process of its own serves it until nobody holds the write end
 * of `alive` any more, and removes the folder then. Returns false, after saying why, where it could not be
 * mounted.
 */
bool mountImage(const char* path, size_t offset, const char* folder, int aliveRead, int aliveWrite);

/** Writes the files that match a pattern (fnmatch(3); all where it is null) below a folder. */
bool extractImage(const char* path, size_t offset, const char* folder, const char* pattern, bool tell);

/** Removes a folder and everything in it. */
void removeTree(const char* folder);
