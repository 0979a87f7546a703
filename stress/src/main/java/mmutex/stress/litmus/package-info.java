/**
 * Litmus tests of the memory-ordering claims in core, and the command that runs them.
 *
 * <p>A test is a jcstress class, {@code …Stress}, in {@link mmutex.stress.litmus.tests}; jcstress' annotation processor
 * lists it in {@code META-INF/TestList}. Each test runs in forked VMs, in many combinations of compilers and CPU affinity,
 * on real threads: what it never saw is not proven, what it saw once is a fact. {@link mmutex.stress.litmus.broken} holds
 * wrong copies of the protocols, which show that the tests could fail.
 */
package mmutex.stress.litmus;
