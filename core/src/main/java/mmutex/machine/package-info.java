/**
 * Wiring: a {@link mmutex.machine.Machine} built from a {@link mmutex.machine.MachineSpec}, its
 * {@link mmutex.machine.Process}es with their system calls, and the {@link mmutex.machine.Cpu}s that run them.
 *
 * <p>This is the package that programs use:
 *
 * <pre>{@code
 * Machine machine = new Machine(MachineSpec.defaults());
 * Cpu cpu = machine.cpu(0);
 * Process process = machine.newProcess();
 * cpu.run(process);
 * process.mmap(cpu, 0x10000, 4096, VmFlags.READ | VmFlags.WRITE);
 * cpu.fetchAddLong(0x10000, 1);
 * }</pre>
 */
package mmutex.machine;
