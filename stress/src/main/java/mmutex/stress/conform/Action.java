package mmutex.stress.conform;

/** Performs one operation as the program did. */
@FunctionalInterface
interface Action {
    /**
     * Performs it.
     *
     * @param world where
     * @param party the process that does it
     * @param step with the arguments
     * @throws NotEmulated if the emulator lacks what this operation, or whatever may follow from it, needs; the replay
     *     ends here
     */
    Outcome perform(World world, Party party, Step step) throws NotEmulated;
}
