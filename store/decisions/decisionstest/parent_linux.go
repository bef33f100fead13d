package decisionstest

import "syscall"

// endWithParent makes a process end with the one that started it. SIGINT ends PostgreSQL quickly and in
// order.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
