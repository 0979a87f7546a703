/** Operations on processes and on all memory. */
package mmutex.bench.torture.op.system;
