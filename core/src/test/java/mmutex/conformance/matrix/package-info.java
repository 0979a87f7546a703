/** The bookkeeping matrix, semantics 3.25: every line in every profile, every column asserted. */
package mmutex.conformance.matrix;
