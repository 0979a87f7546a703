/** Operations on pages of a hand's own. */
package mmutex.bench.torture.op.plot;
