/**
 * The one seam between the emulator and whoever wants to watch or control it.
 *
 * <p>{@link mmutex.seam.SchedulePoint} is called before every step that other threads can see: a load, store or
 * compare-and-set of a page-table entry, a lock word, a counter, a fence, a wait. Off, which is the default, the JIT
 * removes the calls. On ({@code -Dmmutex.schedule=true}), an installed {@link mmutex.seam.Scheduler} decides who runs
 * next; nothing else in core changes, so what is explored is what is measured.
 *
 * <p>It is a package of its own, above {@code memory}, because frame counts are shared words too and their owner must
 * be able to name its steps.
 */
package mmutex.seam;
