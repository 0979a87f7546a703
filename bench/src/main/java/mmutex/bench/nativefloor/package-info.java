/**
 * The machine's floor: C programs ({@code bench/native}) that do what core does, or what a user can do on a stock kernel,
 * and the table that compares them with ours.
 */
package mmutex.bench.nativefloor;
