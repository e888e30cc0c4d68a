// What programs in Java sign while they send something else: a line each of part, what was sent and what was signed, in base64.
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.Base64;

public class Slips {
	static String b64(byte[] bytes) { return Base64.getEncoder().encodeToString(bytes); }

	static void slip(String part, String sent, String signed) {
		if (!sent.equals(signed)) {
			System.out.println(part + "\t" + b64(sent.getBytes(StandardCharsets.UTF_8)) + "\t" + b64(signed.getBytes(StandardCharsets.UTF_8)));
		}
	}

	public static void main(String[] args) throws Exception {
		String service = "http://127.0.0.1:8765/api/v1/p";
		for (String text : new String[] {"Zürich AG", "O'Neil (Ltd)!*~", "naïve café"}) {
			String encoded = URLEncoder.encode(text, StandardCharsets.UTF_8);
			String standard = service + "/company/search?query=" + encoded.replace("+", "%20").replace("*", "%2A").replace("%7E", "~");
			slip("url", standard, service + "/company/search?query=" + encoded);
			slip("url", service + "/company/search?query=" + encoded, standard);
			URI made = new URI("http", null, "127.0.0.1", 8765, "/api/v1/p/company/search", "query=" + text, null);
			slip("url", standard, made.toString());
			slip("url", standard, made.toASCIIString());
			slip("url", made.toASCIIString(), made.toString());
			slip("url", standard, URLDecoder.decode(standard, StandardCharsets.UTF_8));
			slip("url", standard, new URI("http", null, "127.0.0.1", 8765, "/api/v1/p/company/search", standard.substring(standard.indexOf('?') + 1), null).toString());
			slip("url", standard, service + "/company/search?query=" + URLEncoder.encode(Normalizer.normalize(text, Normalizer.Form.NFD), StandardCharsets.UTF_8).replace("+", "%20").replace("*", "%2A").replace("%7E", "~"));
		}
		slip("body", "{\"amount\":10000000,\"fee\":1}", "{\"amount\":" + 10000000d + ",\"fee\":" + 1d + "}");
		slip("body", "{\"a\":1}", "{\"a\":1}" + String.format("%n"));
		slip("body", "{\"a\":\"x\"}", String.format("{%n  \"a\" : \"x\"%n}"));
	}
}
