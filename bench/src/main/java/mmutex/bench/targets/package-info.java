/**
 * {@code ./mmutex bench --targets}: how far our hot paths are from what they should cost, as ratios to baselines of the same
 * run. Start at {@link mmutex.bench.targets.TargetsCommand}; {@link mmutex.bench.targets.Target} lists the rows.
 */
package mmutex.bench.targets;
