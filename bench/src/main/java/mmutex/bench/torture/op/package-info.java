/**
 * What is done under torture: the table of all operations, and below it a package for each kind of memory.
 *
 * <pre>
 *   plot     pages of one hand's own, large folios among them
 *   file     files, a hand's own and a common one
 *   common   counters, common pages, pages with a user's fault handler
 *   system   processes, and memory management as a whole
 * </pre>
 *
 * <p>Each imports only those above it.
 */
package mmutex.bench.torture.op;
