package mmutex.bench.torture;

import mmutex.mm.SemanticProfile;
import mmutex.notify.Delivery;

/**
 * One round.
 *
 * @param profile whose kernel's behaviour
 * @param delivery how notifications reach devices
 * @param hands CPUs that also make system calls
 * @param devices devices that compute
 * @param seconds how long
 * @param seed decides every choice of every actor
 * @param watched whether entries and locks are watched, which needs {@code -Dmmutex.schedule=true}
 */
record TortureOptions(
        SemanticProfile profile,
        Delivery delivery,
        int hands,
        int devices,
        double seconds,
        long seed,
        boolean watched) {
    static final int HANDS_MAX = 16;
    static final int DEVICES_MAX = 4;
    static final double SECONDS_MIN = 0.1;
    static final double SECONDS_MAX = 86_400;
}
