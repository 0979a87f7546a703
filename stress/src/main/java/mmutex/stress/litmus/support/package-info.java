/**
 * What the litmus tests stand on: off-heap places for their states, parts of core that are expensive to build and can be
 * shared, and the few protocol steps of core that only its own packages can reach.
 */
package mmutex.stress.litmus.support;
