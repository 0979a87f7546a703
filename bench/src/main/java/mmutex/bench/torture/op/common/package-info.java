/** Operations on pages that all use. */
package mmutex.bench.torture.op.common;
