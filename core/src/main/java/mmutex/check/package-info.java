/**
 * Referees: read only, never act. One class per group of invariants; {@link mmutex.check.InvariantChecker} runs them all.
 *
 * <p>Two moments. <em>Now</em>: at any instant while others run, holding the locks that make the statement stable: every
 * driver lock in the order of the devices' ids, then per address space the mmap lock shared, then one leaf-table lock at a
 * time. <em>Quiescence</em>: no operation in flight; then everything is counted.
 *
 * <p>And <em>watches</em>, for what no state shows, only how it changes: told of every change of an entry, every lock and
 * every notification while others work. Entries and locks announce themselves only in a VM started with
 * {@code -Dmmutex.schedule=true}; otherwise the JIT removes the calls.
 *
 * <pre>
 *   group                  now            quiescence     otherwise
 *   DeviceChecker          I1 I2 I3 I13
 *                          I14 I30
 *   EntryChecker           I14 I16 I18    I17
 *                          I21 I30
 *   NotifierChecker        I8 I9          I11
 *   CountChecker                          I4 I5 I6
 *   DeviceMemoryChecker                   I4 I13             pages in devices' memory only
 *   LockChecker                           I27
 *   MomentChecks                                         I20 at fork's return, I26 at make's, I28 at a callback's
 *   EntryWatch                                           I14 I15 I16 I19 I22 at each change of an entry
 *   LockOrderWatch                                       I32 at each lock
 *   NotifierWatch                                        I10 I12 I23 I24 I25 I31 at each notification
 *   (oracles of workloads)                               I7 I29 I33 I34 I35
 * </pre>
 *
 * docs/conformance.md has a line for each: where it is checked, and what shows that the check would notice.
 */
package mmutex.check;
