package zerofive.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * What a 64-bit shared library needs from others, by its section headers: the layout of elf(5),
 * read apart from the code under test.
 */
final class ElfTables {
  private static final int DYNAMIC = 6;
  private static final int DYNSYM = 11;
  private static final int VERNEED = 0x6ffffffe;
  private static final int VERSYM = 0x6fffffff;
  private static final int DT_NEEDED = 1;

  private final ByteBuffer file;

  ElfTables(byte[] bytes) {
    file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A version of a library that symbols are bound to. */
  record Version(String library, String name, int hash, int index) {}

  /** Where a table lies, and the section of its strings. */
  private record Section(int offset, int size, int link) {}

  private Section at(int index) {
    int header = (int) file.getLong(40) + index * 64;
    return new Section(
        (int) file.getLong(header + 24), (int) file.getLong(header + 32), file.getInt(header + 40));
  }

  private Section ofType(int type) {
    for (int i = 0; i < file.getShort(60); i++) {
      if (file.getInt((int) file.getLong(40) + i * 64 + 4) == type) {
        return at(i);
      }
    }
    throw new AssertionError("no section of type " + type);
  }

  private String string(Section table, int offset) {
    StringBuilder text = new StringBuilder();
    for (int i = at(table.link()).offset() + offset; file.get(i) != 0; i++) {
      text.append((char) file.get(i));
    }
    return text.toString();
  }

  List<String> needed() {
    Section dynamic = ofType(DYNAMIC);
    List<String> needed = new ArrayList<>();
    for (int i = dynamic.offset(); i < dynamic.offset() + dynamic.size(); i += 16) {
      if (file.getLong(i) == DT_NEEDED) {
        needed.add(string(dynamic, (int) file.getLong(i + 8)));
      }
    }
    return needed;
  }

  List<Version> versions() {
    Section section = ofType(VERNEED);
    List<Version> versions = new ArrayList<>();
    int library = section.offset();
    int next;
    do {
      int version = library + file.getInt(library + 8);
      for (int left = file.getShort(library + 2); left > 0; left--) {
        versions.add(
            new Version(
                string(section, file.getInt(library + 4)),
                string(section, file.getInt(version + 8)),
                file.getInt(version),
                file.getShort(version + 6)));
        version += file.getInt(version + 12);
      }
      next = file.getInt(library + 12);
      library += next;
    } while (next != 0);
    return versions;
  }

  /** The functions taken from elsewhere, under the version of that index; 1 is no version. */
  List<String> imported(int versionIndex) {
    Section symbols = ofType(DYNSYM);
    Section versions = ofType(VERSYM);
    List<String> names = new ArrayList<>();
    for (int i = 1; i < symbols.size() / 24; i++) {
      int symbol = symbols.offset() + i * 24;
      boolean undefined = file.getShort(symbol + 6) == 0;
      if (undefined && file.getShort(versions.offset() + 2 * i) == versionIndex) {
        names.add(string(symbols, file.getInt(symbol)));
      }
    }
    return names;
  }

  /** The hash of elf(5). */
  static int hash(String name) {
    int hash = 0;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash << 4) + name.charAt(i);
      int high = hash & 0xf0000000;
      hash = (hash ^ (high >>> 24)) & ~high;
    }
    return hash;
  }
}
