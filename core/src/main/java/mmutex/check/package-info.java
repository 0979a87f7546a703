/**
 * Referees: read only, never act. One class per group of invariants; {@link mmutex.check.InvariantChecker} runs them all.
 *
 * <p>Two moments. <em>Now</em>: at any instant while others run, holding the locks that make the statement stable: every
 * driver lock in the order of the devices' ids, then per address space the mmap lock shared, then one leaf-table lock at a
 * time. <em>Quiescence</em>: no operation in flight; then everything is counted.
 *
 * <pre>
 *   group                  now            quiescence     otherwise
 *   DeviceChecker          I1 I2 I3 I14
 *   EntryChecker           I14 I16 I18    I17
 *                          I21 I30
 *   NotifierChecker        I8 I9          I11
 *   CountChecker                          I4 I5 I6
 *   DeviceMemoryChecker                   I4 I13             pages in devices' memory only
 *   LockChecker                           I27
 *   MomentChecks                                         I20 at fork's return, I26 at make's, I28 at a callback's
 *   (oracle of a workload)                I7
 *   (by construction)                                    I10: the index is changed under the state's lock only, by code
 *                                                        that has just seen seq even or made it even
 * </pre>
 */
package mmutex.check;
