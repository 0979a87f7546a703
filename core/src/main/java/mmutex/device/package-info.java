/**
 * Who competes with the CPUs: devices with page tables of their own.
 *
 * <ul>
 *   <li>{@link mmutex.device.DevicePageTable}: off-heap, with access windows like the CPUs'.
 *   <li>{@link mmutex.device.MirrorDevice} and {@link mmutex.device.MirrorHandle}: the kernel's test device
 *       (lib/test_hmm.c), driven by requests of a process.
 *   <li>{@link mmutex.device.SvmDevice}: a device that computes on shared virtual memory: lanes whose accesses miss in
 *       the device table put faults on a queue; {@link mmutex.device.SvmDriver} resolves them in batches under the
 *       sequence protocol (nouveau_svm.c), as its {@link mmutex.device.DriverSpec} says; {@link mmutex.device.DeviceWorker} is the thread that does both and serves the ring.
 * </ul>
 *
 * A device's atomic is load, compute, store inside one device window. On a page that is not exclusive it loses updates;
 * that is how we know that the machinery works.
 */
package mmutex.device;
