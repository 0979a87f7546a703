/**
 * What happens when an access can't proceed: the kernel's mm/memory.c and mm/gup.c (6.12), one class per verb.
 *
 * <ul>
 *   <li>{@link mmutex.fault.UserFault}: a CPU's fault, with its locks and retries (arch/x86/mm/fault.c).
 *   <li>{@link mmutex.fault.FaultHandler}: dispatch on the entry (handle_pte_fault).
 *   <li>{@link mmutex.fault.FirstTouch}: nothing there yet (do_anonymous_page).
 *   <li>{@link mmutex.fault.FileFault}: nothing there yet, and a file behind it (do_fault).
 *   <li>{@link mmutex.fault.HugePageFault}: a hugetlb mapping (hugetlb_fault).
 *   <li>{@link mmutex.fault.WriteProtectFault}: write to a read-only entry (do_wp_page).
 *   <li>{@link mmutex.fault.ExclusiveRestorer}: a CPU wants an exclusive page back; the core of the design.
 *   <li>{@link mmutex.fault.DevicePrivateFault}: a CPU wants a page back that lives in a device.
 *   <li>{@link mmutex.fault.MigrationWait}: the page is being moved (migration_entry_wait).
 *   <li>{@link mmutex.fault.PageGetter}: get_user_pages: from an address to a referenced frame.
 * </ul>
 *
 * Results are {@link mmutex.mm.FaultResult} bits. DONE means "look again"; RETRY means that the mmap or VMA lock has been
 * dropped and the VMA must not be touched any more.
 */
package mmutex.fault;
