/**
 * Giving a page to a device: {@link mmutex.exclusive.ExclusiveMaker}, the kernel's make_device_exclusive of its two
 * generations. The way back is {@code mmutex.fault.ExclusiveRestorer}; states and events of an entry:
 *
 * <pre>
 *   state          make           CPU touch   fork               mprotect       zap    mremap   MADV_FREE
 *   NONE           first touch,   first       stays              stays          stays  stays    stays
 *                  then EXCL      touch
 *   PRESENT        EXCL           access      copied, read-only  protection     NONE   moves    clean
 *   EXCL_W  6.12   restore, make  restore     restored, copied   EXCL_R         NONE   moves    stays, orphan
 *   EXCL_R  6.12   restore, make  restore     restored, copied   stays          NONE   moves    stays, orphan
 *   EXCL    6.15   restore, make  restore     restored, copied   stays, orphan  NONE   moves    stays, orphan
 * </pre>
 *
 * "Orphan": the entry stays, the device's mapping is gone; the next touch restores it. The whole table, with events and
 * counts, is in docs/protocol.md.
 */
package mmutex.exclusive;
