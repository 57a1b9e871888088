import java.io.StringReader;
import java.net.URI;
import java.sql.*;
import java.util.Properties;
import org.postgresql.PGConnection;

/** JDBC's driver, which takes a URL without user and password. */
public class Jdbc {
  static Connection connect(String url) throws Exception {
    URI uri = new URI(url);
    String[] login = uri.getUserInfo().split(":");
    Properties properties = new Properties();
    properties.setProperty("user", login[0]);
    properties.setProperty("password", login[1]);
    properties.setProperty("prepareThreshold", "1");
    String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
    String address = "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath();
    return DriverManager.getConnection(address + query, properties);
  }

  static long first(PreparedStatement statement) throws SQLException {
    try (ResultSet rows = statement.executeQuery()) {
      rows.next();
      return rows.getLong(1);
    }
  }

  public static void main(String[] args) throws Exception {
    Connection connection = connect(args[0]);
    PreparedStatement sum = connection.prepareStatement("SELECT ?::int + ?::int");
    sum.setInt(1, 1);
    sum.setInt(2, 2);
    long parameters = first(sum);
    PreparedStatement twice = connection.prepareStatement("SELECT ?::int * 2");
    twice.setInt(1, 21);
    first(twice);
    long prepared = first(twice);
    String cancelled = "";
    try (Statement slow = connection.createStatement()) {
      slow.setQueryTimeout(1);
      slow.execute("SELECT pg_sleep(60)");
    } catch (SQLException error) {
      cancelled = error.getSQLState();
    }
    Statement plain = connection.createStatement();
    plain.execute("CREATE TEMP TABLE copied (n int, word text)");
    PGConnection own = connection.unwrap(PGConnection.class);
    long copied = own.getCopyAPI().copyIn("COPY copied FROM STDIN", new StringReader("1\tone\n2\ttwo\n3\tthree\n"));
    plain.execute("LISTEN news");
    plain.execute("NOTIFY news, 'hello'");
    String heard = own.getNotifications(10_000)[0].getParameter();
    String wrong = "";
    try {
      connect(args[1]);
    } catch (SQLException error) {
      wrong = error.getMessage().replace("FATAL: ", "");
    }
    String version = connection.getMetaData().getDriverVersion();
    System.out.printf(
        "{\"driver\":\"JDBC %s\",\"parameters\":%d,\"prepared\":%d,\"cancel\":\"%s\",\"copy\":%d,\"notification\":\"%s\",\"wrong\":\"%s\"}%n",
        version, parameters, prepared, cancelled, copied, heard, wrong.replace("\"", "\\\""));
    connection.close();
  }
}
