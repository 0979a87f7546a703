/**
 * Access to a process's memory by its address space instead of by a CPU that runs it: what a debugger, another process or
 * the kernel itself does through get_user_pages. A page in a device's hands comes back for these as for a CPU.
 *
 * <p>Kernel counterpart: mm/memory.c (access_remote_vm), mm/process_vm_access.c (6.12).
 */
package mmutex.remote;
