// A server on golang.org/x/crypto/ssh and github.com/pkg/sftp: server DIRECTORY, which has keys/. Prints its port.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const (
	user     = "libssh2"
	password = "my test password"
)

func read(directory, name string) []byte {
	content, err := os.ReadFile(filepath.Join(directory, "keys", name))
	if err != nil {
		log.Fatal(err)
	}
	return content
}

func publicKey(line []byte) ssh.PublicKey {
	key, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		log.Fatal(err)
	}
	return key
}

func logins(directory string) *ssh.ServerConfig {
	known := map[string]bool{}
	for _, line := range bytes.Split(bytes.TrimSpace(read(directory, "authorized_keys")), []byte("\n")) {
		known[string(publicKey(line).Marshal())] = true
	}
	authority := publicKey(read(directory, "ca.pub")).Marshal()
	checker := &ssh.CertChecker{
		IsUserAuthority: func(key ssh.PublicKey) bool { return bytes.Equal(key.Marshal(), authority) },
		UserKeyFallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if known[string(key.Marshal())] {
				return nil, nil
			}
			return nil, errors.New("unknown key")
		},
	}
	refused := errors.New("no")
	return &ssh.ServerConfig{
		PublicKeyCallback: checker.Authenticate,
		PasswordCallback: func(meta ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			if strings.HasPrefix(meta.User(), user) && string(given) == password {
				return nil, nil
			}
			return nil, refused
		},
		KeyboardInteractiveCallback: func(meta ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			if meta.User() != user+"-rounds" {
				answers, err := ask("", "", []string{"Password: "}, []bool{false})
				if err == nil && answers[0] == password {
					return nil, nil
				}
				return nil, refused
			}
			first, err := ask("Rounds", "There are three of them", []string{"First: ", "Second: "}, []bool{true, false})
			if err != nil || first[0] != "one" || first[1] != "two" {
				return nil, refused
			}
			if _, err := ask("", "Nothing is asked here", nil, nil); err != nil {
				return nil, refused
			}
			last, err := ask("", "", []string{"Third: "}, []bool{true})
			if err != nil || last[0] != "three" {
				return nil, refused
			}
			return nil, nil
		},
		MaxAuthTries: -1,
	}
}

// Everything that the package has. A server has to name what is not on by itself.
func algorithms(config *ssh.ServerConfig) {
	config.RekeyThreshold = 4 << 20
	config.KeyExchanges = []string{"curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256",
		"ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group14-sha256", "diffie-hellman-group14-sha1",
		"diffie-hellman-group1-sha1"}
	config.Ciphers = []string{"aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr",
		"aes256-ctr", "aes128-cbc", "3des-cbc", "arcfour128", "arcfour256", "arcfour"}
	config.MACs = []string{"hmac-sha2-256-etm@openssh.com", "hmac-sha2-256", "hmac-sha1", "hmac-sha1-96"}
}

func hostKeys(config *ssh.ServerConfig, directory string) {
	for _, kind := range []string{"ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa"} {
		key, err := ssh.ParsePrivateKey(read(directory, "host_"+kind))
		if err != nil {
			log.Fatal(err)
		}
		config.AddHostKey(key)
		certificate := publicKey(read(directory, "host_"+kind+"-cert.pub")).(*ssh.Certificate)
		certified, err := ssh.NewCertSigner(certificate, key)
		if err != nil {
			log.Fatal(err)
		}
		config.AddHostKey(certified)
	}
}

func run(channel ssh.Channel, command string) {
	child := exec.Command("/bin/sh", "-c", command)
	child.Stdout, child.Stderr = channel, channel.Stderr()
	input, err := child.StdinPipe()
	if err != nil || child.Start() != nil {
		channel.Close()
		return
	}
	go func() {
		io.Copy(input, channel)
		input.Close()
	}()
	child.Wait()
	channel.CloseWrite()
	channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(child.ProcessState.ExitCode())}))
	channel.Close()
}

func session(channel ssh.Channel, requests <-chan *ssh.Request) {
	for request := range requests {
		var argument struct{ Text string }
		err := ssh.Unmarshal(request.Payload, &argument)
		switch {
		case err == nil && request.Type == "exec":
			request.Reply(true, nil)
			go run(channel, argument.Text)
		case err == nil && request.Type == "subsystem" && argument.Text == "sftp":
			request.Reply(true, nil)
			go func() {
				if server, err := sftp.NewServer(channel); err == nil {
					server.Serve()
				}
				channel.Close()
			}()
		default:
			request.Reply(false, nil)
		}
	}
}

func serve(connection net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(connection, config)
	if err != nil {
		connection.Close()
		return
	}
	go ssh.DiscardRequests(requests)
	for opened := range channels {
		if opened.ChannelType() != "session" {
			opened.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		if channel, requests, err := opened.Accept(); err == nil {
			go session(channel, requests)
		}
	}
}

func main() {
	config := logins(os.Args[1])
	algorithms(config)
	hostKeys(config, os.Args[1])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(connection, config)
	}
}
