// Copyright The samsa Authors.
// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Pattern;

import kafka.common.ConsumerRebalanceFailedException;
import kafka.consumer.Consumer;
import kafka.consumer.ConsumerConfig;
import kafka.consumer.ConsumerIterator;
import kafka.consumer.KafkaStream;
import kafka.javaapi.consumer.ConsumerConnector;
import kafka.message.MessageAndMetadata;

/**
 * A member of a group in ZooKeeper by Kafka's own consumer, ZookeeperConsumerConnector of Kafka 0.8.2 to 1.1, as an
 * application uses it that cares: nothing is committed before it stands in the ledger.
 *
 * It starts idle, so that a pool of them can be kept: the virtual machine is what takes time. Standard input has one
 * word and its arguments in a line:
 *
 *   join id topic[,topic] ledger [property=value ...]
 *   leave
 *
 * and standard output tells: ready, joined, "gave up" (and why) when it could not join, left.
 */
public final class OldMember {
    /** How often positions are committed: what a kill makes others deliver again. */
    private static final long COMMIT_MILLIS = 200;

    private static OldMember member;

    private final Object books = new Object(); // held from a message's ledger line to its commit
    private final ConsumerConnector connector;
    private final BufferedWriter ledger;
    private boolean dirty;
    private boolean closed;

    private OldMember(Properties properties, Path ledger) throws IOException {
        this.ledger = Files.newBufferedWriter(
            ledger, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        this.connector = Consumer.createJavaConsumerConnector(new ConsumerConfig(properties));
    }

    public static void main(String[] args) throws Exception {
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        Runtime.getRuntime().addShutdownHook(new Thread(OldMember::end)); // SIGTERM, too
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.trim().split(" ");
            if (words[0].equals("join")) {
                join(words);
            } else if (words[0].equals("leave")) {
                break;
            }
        }
        System.exit(0);
    }

    private static void end() {
        if (member != null) {
            member.leave();
        }
        System.out.println("left");
    }

    /** An application that fails to join is started again by whoever looks after it; so is this one. */
    private static void join(String[] words) throws Exception {
        Properties properties = properties(words);
        Path ledger = Path.of(words[3]);
        for (;;) {
            member = new OldMember(properties, ledger);
            try {
                member.run(words[2]);
                System.out.println("joined");
                return;
            } catch (ConsumerRebalanceFailedException e) {
                System.out.println("gave up " + e.getMessage());
                member.leave();
            }
        }
    }

    private static Properties properties(String[] words) {
        Properties properties = new Properties();
        properties.put("consumer.id", words[1]);
        properties.put("auto.commit.enable", "false");
        properties.put("auto.offset.reset", "smallest"); // by default it skips what came before
        properties.put("zookeeper.session.timeout.ms", "6000");
        properties.put("rebalance.max.retries", "4"); // as by default, as is the backoff of 2 s
        for (String word : Arrays.asList(words).subList(4, words.length)) {
            int equals = word.indexOf('=');
            properties.put(word.substring(0, equals), word.substring(equals + 1));
        }
        return properties;
    }

    private void run(String topics) {
        List<KafkaStream<byte[], byte[]>> streams = new ArrayList<>();
        if (topics.startsWith("/")) { // a pattern
            streams.addAll(connector.createMessageStreamsByFilter(new kafka.consumer.Whitelist(topics.substring(1))));
        } else {
            Map<String, Integer> threads = new HashMap<>();
            for (String topic : topics.split(",")) {
                String[] parts = topic.split(Pattern.quote(":")); // topic:threads
                threads.put(parts[0], parts.length > 1 ? Integer.valueOf(parts[1]) : 1);
            }
            connector.createMessageStreams(threads).values().forEach(streams::addAll);
        }
        for (KafkaStream<byte[], byte[]> stream : streams) {
            start(() -> consume(stream));
        }
        start(this::commit);
    }

    private static void start(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
    }

    private void consume(KafkaStream<byte[], byte[]> stream) {
        ConsumerIterator<byte[], byte[]> messages = stream.iterator();
        while (messages.hasNext()) {
            // What next gives counts as consumed with the next commit, of whichever thread.
            synchronized (books) {
                if (closed) {
                    return;
                }
                write(messages.next());
            }
        }
    }

    private void write(MessageAndMetadata<byte[], byte[]> message) {
        try {
            ledger.write(message.topic() + " " + message.partition() + " " + message.offset() + " "
                + new String(message.message(), StandardCharsets.UTF_8) + "\n");
            dirty = true;
        } catch (IOException e) {
            fail(e);
        }
    }

    private void commit() {
        try {
            for (;;) {
                Thread.sleep(COMMIT_MILLIS);
                synchronized (books) {
                    if (closed) {
                        return;
                    }
                    flush();
                }
            }
        } catch (InterruptedException | IOException e) {
            fail(e);
        }
    }

    private void flush() throws IOException {
        if (dirty) {
            ledger.flush();
            connector.commitOffsets();
            dirty = false;
        }
    }

    private void leave() {
        synchronized (books) {
            if (closed) {
                return;
            }
            try {
                flush();
                ledger.close();
            } catch (IOException e) {
                fail(e);
            }
            closed = true;
        }
        connector.shutdown();
    }

    /** Nothing may be committed that is not in the ledger. */
    private static void fail(Exception e) {
        e.printStackTrace();
        Runtime.getRuntime().halt(3);
    }
}
