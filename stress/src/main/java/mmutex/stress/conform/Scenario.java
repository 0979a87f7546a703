package mmutex.stress.conform;

import java.util.List;
import mmutex.mm.SemanticProfile;

/**
 * One recorded scenario.
 *
 * @param file where it stands, as the user named it
 * @param line its line there
 * @param name for people and for {@code --only}
 * @param profile of the kernel it was recorded on
 * @param tags feature groups, for people
 * @param steps in the order in which they happened
 */
record Scenario(String file, long line, String name, SemanticProfile profile, List<String> tags, List<Step> steps) {}
