/*
 * Where a running `selvage run` can be reached: a socket in
 * ${XDG_RUNTIME_DIR:-/tmp/selvage-UID}/selvage, which is ours alone.
 */
#pragma once

#include <stddef.h>

#define SOCKPATH_MAX 100 /* sockaddr_un takes 107 */
/* For a connection, and on it for each byte that is waited for. */
#define SOCKPATH_PATIENCE_S 60
#define SOCKPATH_SUFFIX ".sock"

/*
 * A listening socket for the system `name`. If one of that name runs already
 * it becomes `name.2`, and so on. -1, with a message, if that cannot be had.
 */
int sockpath_listen(const char *name, char path[SOCKPATH_MAX]);
/*
 * A connection to the running system `name`, or to the one that runs if
 * `name` is NULL. -1, with a message, if there is none or more than one.
 */
int sockpath_connect(const char *name);
