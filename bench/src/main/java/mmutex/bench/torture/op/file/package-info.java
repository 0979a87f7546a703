/** Operations on files. */
package mmutex.bench.torture.op.file;
